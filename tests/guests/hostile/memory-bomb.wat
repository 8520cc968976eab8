;; Takes and touches all the memory that it can get, and traps.
(func $attack (param i32 i32)
  (local $at i32)
  (local.set $at (i32.mul (memory.size) (i32.const 65536)))
  (block $full
    (loop $more
      (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
      (memory.fill (local.get $at) (i32.const 0xa5) (i32.const 65536))
      (local.set $at (i32.add (local.get $at) (i32.const 65536)))
      (br $more)))
  unreachable)
