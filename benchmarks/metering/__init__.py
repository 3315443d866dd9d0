"""What metering costs, and how exact it is."""
