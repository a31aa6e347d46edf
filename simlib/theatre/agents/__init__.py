"""The parties: each is one class whose `live` reads like its life."""
