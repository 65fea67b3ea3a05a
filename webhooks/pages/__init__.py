"""The LIFF pages: forms that a LINE user opens on a phone."""
