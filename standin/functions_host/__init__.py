"""A stand-in for the Azure Functions host: HTTP, queues and timers around an unchanged app."""
