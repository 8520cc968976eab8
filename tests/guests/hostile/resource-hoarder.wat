;; Keeps what WASI gives it.
;;
;; A call with `s` starts children, up to 40, each of which opens 200 sockets when it starts; the answer is how many were started, as
;; one letter from `A` on. A call with `d` begins to list its first directory 500 times, and reads none of the lists; the answer is how
;; many there are, in fifties, as one letter. A cast ends the children.
(import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket" (func $tcp (param i32 i32)))
(import "wasi:filesystem/preopens@0.2.0" "get-directories" (func $directories (param i32)))
(import "wasi:filesystem/types@0.2.0" "[method]descriptor.read-directory" (func $list (param i32 i32)))
(data (i32.const 1024) "resource-hoarder")

;; Only children have start arguments.
(func (export "pre-start") (param i32) (param $length i32) (result i32)
  (if (local.get $length) (then (call $open_sockets)))
  (call $ok))

(func $open_sockets
  (local $left i32)
  (local.set $left (i32.const 200))
  (loop $more
    (call $tcp (i32.const 0) (i32.const 2048))
    (if (i32.load8_u (i32.const 2048)) (then unreachable))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left))))

(func $list_often (result i32)
  (local $directory i32)
  (local $listed i32)
  (call $directories (i32.const 64))
  (local.set $directory (i32.load (i32.load (i32.const 64))))
  (block $full
    (loop $more
      (call $list (local.get $directory) (i32.const 2048))
      (br_if $full (i32.load8_u (i32.const 2048)))
      (local.set $listed (i32.add (local.get $listed) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $listed) (i32.const 500)))))
  (i32.div_u (local.get $listed) (i32.const 50)))

(func $start_children (result i32)
  (local $left i32)
  (local $started i32)
  (local.set $left (i32.const 40))
  (loop $more
    (call $spawn (i32.const 1024) (i32.const 16)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 1) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 64))
    (if (i32.eqz (i32.load8_u (i32.const 64))) (then
      (local.set $started (i32.add (local.get $started) (i32.const 1)))))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left)))
  (local.get $started))

(func (export "handle-call") (param i32 i32) (param $args i32) (param i32) (param i64) (result i32)
  (local $count i32)
  (if (i32.eq (i32.load8_u (local.get $args)) (i32.const 0x73))
    (then (local.set $count (call $start_children)))
    (else (local.set $count (call $list_often))))
  (i32.store8 (i32.const 2048) (i32.add (i32.const 0x41) (local.get $count)))
  (call $some (i32.const 2048) (i32.const 1)))

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
