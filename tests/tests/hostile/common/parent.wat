;; No attacker: an actor that starts what it is told to, and says what came of it.
;;
;; A call with `MODULE:ARGUMENTS` starts a child with the name `child` and answers `ok`, the reason of the failure, or one
;; byte that names another error. A cast kills all children.
(data (i32.const 1024) "child")
(data (i32.const 1040) "ok")

(func (export "handle-call") (param $variant i32) (param i32) (param $args i32) (param $length i32) (param i64)
  (result i32)
  (local $colon i32)
  (local.set $colon (local.get $args))
  (loop $search
    (if (i32.ne (i32.load8_u (local.get $colon)) (i32.const 0x3a)) (then
      (local.set $colon (i32.add (local.get $colon) (i32.const 1)))
      (br $search))))
  (call $spawn
    (local.get $args) (i32.sub (local.get $colon) (local.get $args))
    (i32.const 1) (i32.const 1024) (i32.const 5)
    (i32.add (local.get $colon) (i32.const 1))
    (i32.sub (i32.add (local.get $args) (local.get $length)) (i32.add (local.get $colon) (i32.const 1)))
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
  (if (i32.eqz (i32.load8_u (i32.const 64))) (then (return (call $some (i32.const 1040) (i32.const 2)))))
  ;; failed(reason)
  (if (i32.eq (i32.load8_u (i32.const 72)) (i32.const 4)) (then
    (return (call $some (i32.load (i32.const 76)) (i32.load (i32.const 80))))))
  (call $some (i32.const 72) (i32.const 1)))

(func $attack (param i32 i32)
  (local $child i32)
  (local $end i32)
  (call $children (i32.const 64))
  (local.set $child (i32.load (i32.const 64)))
  (local.set $end (i32.add (local.get $child) (i32.mul (i32.load (i32.const 68)) (i32.const 16))))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $child) (local.get $end)))
      (drop (call $kill_child (i64.load (local.get $child)) (i64.load offset=8 (local.get $child))))
      (local.set $child (i32.add (local.get $child) (i32.const 16)))
      (br $next))))
