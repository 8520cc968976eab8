;; Writes five thousand log events, each far larger than allowed, with what could forge a line.
(data (i32.const 1024) "flood\0aERROR forged: the node is on fire\00\1b[31m")
(func $attack (param i32 i32)
  (local $left i32)
  (drop (memory.grow (i32.const 16)))
  (memory.fill (i32.const 65536) (i32.const 0x78) (i32.const 32768))
  (memory.copy (i32.const 65536) (i32.const 1024) (i32.const 44))
  (local.set $left (i32.const 5000))
  (loop $more
    (call $log (i32.const 4) (i32.const 1024) (i32.const 44) (i32.const 65536) (i32.const 32768)
      (i32.const 0) (i32.const 0))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))
