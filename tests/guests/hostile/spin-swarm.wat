;; Starts as many children as it may, each of which never comes back from the cast that it gets.
(data (i32.const 1024) "infinite-loop")
(func $attack (param i32 i32)
  (loop $more
    (if (i32.eqz (call $spawn_child (i32.const 1024) (i32.const 13) (i32.const 0))) (then
      (call $cast (i64.load (i32.const 72)) (i64.load (i32.const 80)) (i32.const 288) (i32.const 6)
        (i32.const 0) (i32.const 0) (i32.const 128))
      (br $more)))))
