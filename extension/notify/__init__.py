"""From an announcement to a receiver that heard it: messages, signatures, the schedule of attempts, the courier.

It keeps nothing itself: what must survive a restart lies in the store's outbox.
"""
