;; Never comes back from being instantiated.
(start $spin)
