"""The LINE platform, imitated: Messaging API, LINE Login, LIFF, webhooks, SMS gateway, phone."""
