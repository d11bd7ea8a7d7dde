"""Prometheus counters of the kernel; areas declare theirs beside the code that counts."""

from prometheus_client import Counter, Gauge, Histogram

JOBS = Counter("xinglin_jobs", "Jobs run", ["job", "outcome"])
JOB_SECONDS = Histogram("xinglin_job_seconds", "Seconds a job took", ["job"])
REQUESTS = Counter("xinglin_requests", "HTTP requests answered", ["view", "method", "status"])
REQUEST_SECONDS = Histogram("xinglin_request_seconds", "Seconds a request took", ["view"])
AUDIT_FAULTS = Gauge("xinglin_audit_faults", "Faults the latest verification of the audit found")
