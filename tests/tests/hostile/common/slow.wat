;; No attacker: an actor that is busy for some time with every cast.
(func $attack (param i32 i32)
  (local $left i32)
  (local.set $left (i32.const 50000000))
  (loop $more
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))
