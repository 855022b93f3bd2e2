"""A reference as it is read out on the phone."""

ALPHABET = """
Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November Oscar Papa Quebec Romeo Sierra
Tango Uniform Victor Whiskey X-ray Yankee Zulu
"""
NUMBERS = "zero one two three four five six seven eight nine"
SPOKEN = {word[0]: word for word in ALPHABET.split()} | dict(zip("0123456789", NUMBERS.split(), strict=True))


def spell(reference: str) -> list[tuple[str, str]]:
    """Each letter and digit with the word that is said for it, like ("T", "Tango")."""
    return [(c, SPOKEN.get(c, "dash")) for c in reference]
