"""placeholder, written next"""


class OidcProvider:
    """Sign-in of staff with the operator's OpenID provider."""
