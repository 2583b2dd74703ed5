"""Runs `python -m agentmeter_client doctor`."""

from agentmeter_client.doctor import main

raise SystemExit(main())
