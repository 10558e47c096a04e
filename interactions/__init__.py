"""The HTTP door: what Discord POSTs to us, and what we send back. Stateless."""
