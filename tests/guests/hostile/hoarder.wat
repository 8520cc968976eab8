;; Starts children, up to 40, that take as much of one thing as they get, and keep it. Which one the first byte of the call says,
;; and of a child that of its start arguments:
;;
;; m memory, t timers with messages, a start arguments, b messages that wait, g process groups with long names.
;;
;; The answer is how many were started, as one letter from `A` on. A cast ends them. A call with `n` is never answered.
(data (i32.const 1024) "hoarder")
(global $what (mut i32) (i32.const 0))
(global $is_child (mut i32) (i32.const 0))
(global $parent (mut i64) (i64.const 0))
(global $started (mut i32) (i32.const 0))

;; Start arguments of a child: what, and the parent's id.
(func (export "pre-start") (param $args i32) (param $length i32) (result i32)
  (if (i32.eqz (local.get $length)) (then (return (call $ok))))
  (global.set $is_child (i32.const 1))
  (global.set $what (i32.load8_u (local.get $args)))
  (global.set $parent (i64.load offset=8 (local.get $args)))
  (if (i32.eq (global.get $what) (i32.const 0x6d)) (then (call $take_memory)))
  (if (i32.eq (global.get $what) (i32.const 0x74)) (then (call $start_timers)))
  (if (i32.eq (global.get $what) (i32.const 0x67)) (then (call $join_groups)))
  (call $ok))

(func $take_memory
  (local $at i32)
  (block $full
    (loop $more
      (local.set $at (i32.mul (memory.size) (i32.const 65536)))
      (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
      (memory.fill (local.get $at) (i32.const 0xa5) (i32.const 65536))
      (br $more))))

(func $start_timers
  (local $me i64)
  (local $args i32)
  (local.set $me (call $me))
  (local.set $args (call $allocate (i32.const 65536)))
  (loop $more
    (call $send_after (i64.const 0) (local.get $me) (i32.const 1024) (i32.const 0) (local.get $args) (i32.const 65536)
      (i64.const 31536000000) (i32.const 64))
    (br_if $more (i32.eqz (i32.load8_u (i32.const 64))))))

;; 100 groups, each of a name of 255 bytes that nobody else has.
(func $join_groups
  (local $name i32)
  (local $left i32)
  (local.set $name (call $allocate (i32.const 256)))
  (memory.fill (local.get $name) (i32.const 0x67) (i32.const 255))
  (call $write (local.get $name) (call $me))
  (local.set $left (i32.const 100))
  (loop $more
    (call $write (i32.add (local.get $name) (i32.const 32)) 
      ;; Each of as many letters.
      (i64.extend_i32_u (i32.or (local.get $left) (i32.const 256))))
    (call $join (local.get $name) (i32.const 255) (i32.const 0) (i32.const 0) (i32.const 0))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))

;; A number as letters from `a` to `p`.
(func $write (param $at i32) (param $number i64)
  (loop $more
    (i32.store8 (local.get $at) (i32.add (i32.const 0x61) (i32.and (i32.wrap_i64 (local.get $number)) (i32.const 15))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $number (i64.shr_u (local.get $number) (i64.const 4)))
    (br_if $more (i64.ne (local.get $number) (i64.const 0)))))

(func (export "handle-call") (param i32 i32) (param $args i32) (param i32) (param i64) (result i32)
  (if (i32.eq (i32.load8_u (local.get $args)) (i32.const 0x6e)) (then (return (call $none))))
  (call $start_children (i32.load8_u (local.get $args)))
  (if (i32.eq (i32.load8_u (local.get $args)) (i32.const 0x62)) (then (call $send_to_children)))
  (i32.store8 (i32.const 2048) (i32.add (i32.const 0x41) (global.get $started)))
  (call $some (i32.const 2048) (i32.const 1)))

(func $start_children (param $what i32)
  (local $args i32)
  (local $length i32)
  (local $left i32)
  (local.set $length (select (i32.const 4194304) (i32.const 16) (i32.eq (local.get $what) (i32.const 0x61))))
  (local.set $args (call $allocate (local.get $length)))
  (i32.store8 (local.get $args) (local.get $what))
  (i64.store offset=8 (local.get $args) (call $me))
  (global.set $started (i32.const 0))
  (local.set $left (i32.const 40))
  (loop $more
    (call $spawn (i32.const 1024) (i32.const 7)
      (i32.const 0) (i32.const 0) (i32.const 0) (local.get $args) (local.get $length) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 64))
    (if (i32.eqz (i32.load8_u (i32.const 64))) (then
      (global.set $started (i32.add (global.get $started) (i32.const 1)))))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))

;; To each child, until it takes no more.
(func $send_to_children
  (local $child i32)
  (local $end i32)
  (local $args i32)
  (local.set $args (call $allocate (i32.const 65536)))
  (call $children (i32.const 64))
  (local.set $child (i32.load (i32.const 64)))
  (local.set $end (i32.add (local.get $child) (i32.mul (i32.load (i32.const 68)) (i32.const 16))))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $child) (local.get $end)))
      (loop $more
        (call $cast (i64.load (local.get $child)) (i64.load offset=8 (local.get $child))
          (i32.const 1024) (i32.const 0) (local.get $args) (i32.const 65536) (i32.const 64))
        (br_if $more (i32.eqz (i32.load8_u (i32.const 64)))))
      (local.set $child (i32.add (local.get $child) (i32.const 16)))
      (br $next))))

(func $attack (param i32 i32)
  (local $child i32)
  (local $end i32)
  ;; A child waits for an answer that never comes, and so does what was sent to it.
  (if (global.get $is_child) (then
    (i32.store8 (i32.const 2048) (i32.const 0x6e))
    (call $call (i64.const 0) (global.get $parent) (i32.const 1024) (i32.const 0) (i32.const 2048) (i32.const 1)
      (i32.const 0) (i64.const 0) (i32.const 64))
    (return)))
  (call $children (i32.const 64))
  (local.set $child (i32.load (i32.const 64)))
  (local.set $end (i32.add (local.get $child) (i32.mul (i32.load (i32.const 68)) (i32.const 16))))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $child) (local.get $end)))
      (drop (call $kill_child (i64.load (local.get $child)) (i64.load offset=8 (local.get $child))))
      (local.set $child (i32.add (local.get $child) (i32.const 16)))
      (br $next))))
