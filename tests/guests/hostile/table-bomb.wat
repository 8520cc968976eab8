;; Grows a table as far as it can, and traps.
(table $bomb 1 funcref)
(elem declare func $spin)
(func $attack (param i32 i32)
  (loop $more
    (br_if $more (i32.ne (table.grow $bomb (ref.func $spin) (i32.const 1000)) (i32.const -1))))
  unreachable)
