"""How a gateway and the centre of its trust come to know each other: tokens, certificates, revocation."""
