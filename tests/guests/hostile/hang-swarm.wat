;; Starts as many children as it may, each of which begins what never ends, as the arguments say.
(data (i32.const 1024) "hanger")
(func $attack (param $args i32) (param $length i32)
  (loop $more
    (if (i32.eqz (call $spawn_child (i32.const 1024) (i32.const 6) (i32.const 0))) (then
      (call $cast (i64.load (i32.const 72)) (i64.load (i32.const 80)) (i32.const 288) (i32.const 6)
        (local.get $args) (local.get $length) (i32.const 128))
      (br $more)))))
