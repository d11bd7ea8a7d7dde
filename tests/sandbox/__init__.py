"""The stand-in for WeChat, proven over real HTTP: by a raw client, and by third-party libraries."""
