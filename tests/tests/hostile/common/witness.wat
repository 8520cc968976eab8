;; No attacker: an actor that gives back what it is called with.
