"""THE table: which news wakes which jobs. All upward traffic of the whole system, on one page.

Each job is durable, retried and idempotent, and is committed together with the news (law 2).
"""

from hospital.kernel.events import Reactions

REACTIONS: Reactions = {}
