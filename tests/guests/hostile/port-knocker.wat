;; Uses sockets in any way that it is told. A call has a letter for what to do and a port, and is about 127.0.0.1 if nothing
;; else is said; the answer is `ok` or the number of WASI's error code.
(import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
(import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket" (func $tcp (param i32 i32)))
(import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.start-connect"
  (func $tcp_connect (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.finish-connect" (func $tcp_connected (param i32 i32)))
(import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.start-bind"
  (func $tcp_bind (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.finish-bind" (func $tcp_bound (param i32 i32)))
(import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.start-listen" (func $tcp_listen (param i32 i32)))
(import "wasi:sockets/udp-create-socket@0.2.0" "create-udp-socket" (func $udp (param i32 i32)))
(import "wasi:sockets/udp@0.2.0" "[method]udp-socket.start-bind"
  (func $udp_bind (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(import "wasi:sockets/udp@0.2.0" "[method]udp-socket.finish-bind" (func $udp_bound (param i32 i32)))
(import "wasi:sockets/udp@0.2.0" "[method]udp-socket.stream"
  (func $udp_stream (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
(import "wasi:sockets/udp@0.2.0" "[method]outgoing-datagram-stream.check-send" (func $may_send (param i32 i32)))
(import "wasi:sockets/udp@0.2.0" "[method]outgoing-datagram-stream.send" (func $send (param i32 i32 i32 i32)))
(data (i32.const 1024) "ok")

;; The answer about a result that is at 2048, with its error code that far behind.
(func $outcome (param $offset i32) (result i32)
  (local $code i32)
  (if (i32.eqz (i32.load8_u (i32.const 2048))) (then (return (call $some (i32.const 1024) (i32.const 2)))))
  (local.set $code (i32.load8_u (i32.add (i32.const 2048) (local.get $offset))))
  (i32.store8 (i32.const 1072) (i32.add (i32.const 0x30) (i32.div_u (local.get $code) (i32.const 10))))
  (i32.store8 (i32.const 1073) (i32.add (i32.const 0x30) (i32.rem_u (local.get $code) (i32.const 10))))
  (call $some (i32.const 1072) (i32.const 2)))

;; What comes of a connection that this socket has begun, if it could.
(func $connected (param $socket i32) (result i32)
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 1)))))
  (loop $again
    (call $tcp_connected (local.get $socket) (i32.const 2048))
    ;; would-block
    (br_if $again (i32.and (i32.load8_u (i32.const 2048)) (i32.eq (i32.load8_u (i32.const 2052)) (i32.const 8)))))
  (call $outcome (i32.const 4)))

(func $connect (param $port i32) (param $a i32) (param $b i32) (param $c i32) (param $d i32) (result i32)
  (local $socket i32)
  (call $tcp (i32.const 0) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 4)))))
  (local.set $socket (i32.load (i32.const 2052)))
  (call $tcp_connect (local.get $socket) (call $network)
    (i32.const 0) (local.get $port) (local.get $a) (local.get $b) (local.get $c) (local.get $d)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
  (call $connected (local.get $socket)))

;; The address ::1.
(func $connect_6 (param $port i32) (result i32)
  (local $socket i32)
  (call $tcp (i32.const 1) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 4)))))
  (local.set $socket (i32.load (i32.const 2052)))
  (call $tcp_connect (local.get $socket) (call $network)
    (i32.const 1) (local.get $port) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 2048))
  (call $connected (local.get $socket)))

;; A TCP socket with this port as its own, which waits for connections.
(func $listen (param $port i32) (result i32)
  (local $socket i32)
  (call $tcp (i32.const 0) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 4)))))
  (local.set $socket (i32.load (i32.const 2052)))
  (call $tcp_bind (local.get $socket) (call $network)
    (i32.const 0) (local.get $port) (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 1)))))
  (call $tcp_bound (local.get $socket) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 1)))))
  (call $tcp_listen (local.get $socket) (i32.const 2048))
  (call $outcome (i32.const 1)))

;; A UDP socket with this port as its own, left at 1080. The result is at 2048.
(func $datagrams (param $port i32) (result i32)
  (call $udp (i32.const 0) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 4)))))
  (i32.store (i32.const 1080) (i32.load (i32.const 2052)))
  (call $udp_bind (i32.load (i32.const 1080)) (call $network)
    (i32.const 0) (local.get $port) (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 1)))))
  (call $udp_bound (i32.load (i32.const 1080)) (i32.const 2048))
  (call $outcome (i32.const 1)))

;; A UDP socket that is for this peer alone.
(func $datagrams_to (param $port i32) (result i32)
  (drop (call $datagrams (i32.const 0)))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 1)))))
  (call $udp_stream (i32.load (i32.const 1080))
    (i32.const 1) (i32.const 0) (local.get $port) (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
  (call $outcome (i32.const 4)))

;; A datagram to this peer, from a socket that is for every peer.
(func $datagram (param $port i32) (result i32)
  (local $stream i32)
  (drop (call $datagrams (i32.const 0)))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 1)))))
  (call $udp_stream (i32.load (i32.const 1080))
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2048))
  (if (i32.load8_u (i32.const 2048)) (then (return (call $outcome (i32.const 4)))))
  (local.set $stream (i32.load (i32.const 2056)))
  (call $may_send (local.get $stream) (i32.const 2048))
  (i32.store (i32.const 1088) (i32.const 1024))
  (i32.store (i32.const 1092) (i32.const 2))
  (i32.store8 (i32.const 1096) (i32.const 1))
  (i32.store8 (i32.const 1100) (i32.const 0))
  (i32.store16 (i32.const 1104) (local.get $port))
  (i32.store (i32.const 1106) (i32.const 0x0100007f))
  (call $send (local.get $stream) (i32.const 1088) (i32.const 1) (i32.const 2048))
  (call $outcome (i32.const 8)))

(func (export "handle-call") (param i32 i32) (param $args i32) (param $length i32) (param i64) (result i32)
  (local $what i32) (local $port i32) (local $end i32)
  (local.set $what (i32.load8_u (local.get $args)))
  (local.set $end (i32.add (local.get $args) (local.get $length)))
  (block $done
    (loop $digit
      (local.set $args (i32.add (local.get $args) (i32.const 1)))
      (br_if $done (i32.eq (local.get $args) (local.get $end)))
      (local.set $port (i32.add
        (i32.mul (local.get $port) (i32.const 10))
        (i32.sub (i32.load8_u (local.get $args)) (i32.const 0x30))))
      (br $digit)))
  (if (i32.eq (local.get $what) (i32.const 0x63)) (then ;; c
    (return (call $connect (local.get $port) (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1)))))
  (if (i32.eq (local.get $what) (i32.const 0x6d)) (then ;; m, of the machine that says who it is in a cloud
    (return (call $connect (local.get $port) (i32.const 169) (i32.const 254) (i32.const 169) (i32.const 254)))))
  (if (i32.eq (local.get $what) (i32.const 0x36)) (then (return (call $connect_6 (local.get $port))))) ;; 6
  (if (i32.eq (local.get $what) (i32.const 0x6c)) (then (return (call $listen (local.get $port))))) ;; l
  (if (i32.eq (local.get $what) (i32.const 0x75)) (then (return (call $datagrams (local.get $port))))) ;; u
  (if (i32.eq (local.get $what) (i32.const 0x74)) (then (return (call $datagrams_to (local.get $port))))) ;; t
  (if (i32.eq (local.get $what) (i32.const 0x64)) (then (return (call $datagram (local.get $port))))) ;; d
  unreachable)
