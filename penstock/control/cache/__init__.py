"""What gateways have cached."""
