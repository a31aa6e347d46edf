"""Who decides: each agent is one class whose `live` reads like its life."""
