"""One situation: Iraq and Syria, the parties there and the questions about them."""

_NAMES = (
    "ISF ISIS PKK SDF HTS SNA PMF US UK NATO UCDP ACLED SOHR RIC CEP ISR KRG "
    "Ankara Australia Baghdad Coalition Damascus France Harir Iran Iraq Iraqi Israel Israeli "
    "Kurdish Peshmerga Syria Syrian Turkish Washington "
    "Aleppo Anbar Babil Diyala Duhok Erbil Hama Hasakah Homs Kirkuk Nineveh Raqqa Sulaymaniyah"
)
SPELLED = {name.lower(): name for name in _NAMES.split()} | {
    "turkiye": "Türkiye",
    "f16": "F-16",
    "salah al din": "Salah al-Din",
    "deir ez zor": "Deir ez-Zor",
    "counter isis": "counter-ISIS",
    "hts sdf": "HTS-SDF",
    "israel iran": "Israel-Iran",
    "sdf damascus": "SDF-Damascus",
    "turkiye sdf": "Türkiye-SDF",
    # Dyads have a number at UCDP, which tells nobody who fights whom.
    "ucdp 259": "UCDP Iraq-ISIS",
    "ucdp 354": "UCDP Türkiye-PKK",
    "ucdp 13604": "UCDP Syria-ISIS",
    "ucdp 13616": "UCDP ISIS-SDF",
    "ucdp 13809": "UCDP Syria-SDF",
    "ucdp 14803": "UCDP SNA-SDF",
}
"""How people read the names, also of several words, that identifiers write in lower case."""
