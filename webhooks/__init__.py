"""HTTP that LINE and LINE users call: webhook receiver, LIFF pages and their JSON API, health."""
