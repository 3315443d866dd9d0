"""The dashboards of deploy/grafana as code; ``python -m deploy.dashboards`` writes them anew."""
