"""What the centre of a trust serves to its gateways, over TLS: enrolment, and bundles for who is enrolled."""
