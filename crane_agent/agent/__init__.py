"""The agent: a LangGraph graph and the policies that drive it."""
