;; Starts children until it may not.
(func $attack (param i32 i32)
  (loop $more
    (br_if $more (i32.eqz (call $spawn_child (i32.const 304) (i32.const 7) (i32.const 0))))))
