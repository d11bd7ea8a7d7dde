"""Watching the installation itself: probes, alerts, and telling the IT department (H1.3, N38).

Floor 10. A probe measures one thing and says it in a sentence; a round a minute keeps what it
found and opens or ends Alerts. Also here: what the backup script reports and how long the TLS
certificates last. It reads through the other areas' queries and changes nothing of theirs.
"""
