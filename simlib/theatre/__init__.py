"""One situation: Iraq and Syria, the parties there and the questions about them."""

_NAMES = (
    "ISF ISIS PKK SDF HTS SNA PMF US UK NATO UCDP ACLED SOHR RIC CEP ISR KRG "
    "Ankara Australia Baghdad Coalition Damascus France Harir Iran Iraq Iraqi Israel Israeli "
    "Kurdish Peshmerga Syria Syrian Turkish Washington"
)
SPELLED = {name.lower(): name for name in _NAMES.split()} | {
    "turkiye": "Türkiye",
    "f16": "F-16",
    "counter isis": "counter-ISIS",
    "hts sdf": "HTS-SDF",
    "israel iran": "Israel-Iran",
    "sdf damascus": "SDF-Damascus",
    "turkiye sdf": "Türkiye-SDF",
}
"""How people read the names, also of several words, that identifiers write in lower case."""
