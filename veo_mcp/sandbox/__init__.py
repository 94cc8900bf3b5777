"""The sandbox: a local double of the documented video API, drawn by arithmetic and charging nothing."""
