"""Says before a Jupyter cell runs whether it will crash, why, and what would fix it.

`crane_agent.predict.predict` is the one way in.
"""
