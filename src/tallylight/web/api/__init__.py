"""HTTP for programs. Start with `application`; `health` is what a load balancer and Prometheus ask."""
