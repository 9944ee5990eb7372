"""The closed loop measured: what it makes, and the recipes that train what is made."""
