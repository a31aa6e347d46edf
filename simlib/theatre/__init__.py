"""One situation: Iraq and Syria, the parties there and the questions about them."""

_NAMES = (
    "ISF ISIS PKK SDF HTS SNA PMF US UK NATO UCDP ACLED SOHR RIC CEP ISR KRG "
    "Ankara Australia Baghdad Coalition Damascus France Harir Iran Iraq Iraqi Israel Israeli "
    "Kurdish Peshmerga Syria Syrian Turkish Washington "
    "Aleppo Anbar Babil Diyala Dohuk Erbil Hama Hasakah Homs Karbala Kirkuk Nineveh Raqqa "
    "Sulaymaniyah Suwayda"
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
    # What is counted, then who counts it; a number of UCDP tells nobody who fights whom.
    "cep isis desert": "ISIS attacks in the desert (CEP)",
    "monitors isis iraq": "ISIS attacks in Iraq (monitors)",
    "official isis iraq": "ISIS attacks in Iraq (officials)",
    "press isis iraq": "ISIS incidents in Iraq (press)",
    "ric isis northeast": "ISIS attacks in the north-east (RIC)",
    "sohr isis syria": "ISIS attacks in Syria (SOHR)",
    "ucdp 259": "UCDP Iraq-ISIS",
    "ucdp 354": "UCDP Türkiye-PKK",
    "ucdp 13604": "UCDP Syria-ISIS",
    "ucdp 13616": "UCDP ISIS-SDF",
    "ucdp 13809": "UCDP Syria-SDF",
    "ucdp 14803": "UCDP SNA-SDF",
}
"""How people read the names, also of several words, that identifiers write in lower case."""
