"""Pages of panels, written once in panels/*.toml and rendered for Azure Workbooks and Grafana."""
