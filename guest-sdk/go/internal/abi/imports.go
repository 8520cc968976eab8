//go:build wasip1

// Package abi is the world `complete-actor` of the WIT as the canonical ABI of the component model has it, written by hand: what is
// larger than a number goes through memory, in structs of the layouts that are written beside each function, and memory for what comes
// in is taken from `cabi_realloc`. So an actor needs no generated code.
package abi

import (
	"unsafe"

	"ractor-host/ractor/internal/node"
)

// Names of functions are those of the WIT. A `string` is two parameters, where it is and how long; bytes go as strings. `into` is where
// the results go, if there are more than one.
type address = unsafe.Pointer

//go:wasmimport ractor:actor/identity@0.1.0 self-pid
func importSelfPid(into address)

//go:wasmimport ractor:actor/identity@0.1.0 self-name
func importSelfName(into address)

//go:wasmimport ractor:actor/identity@0.1.0 node-name
func importNodeName(into address)

//go:wasmimport ractor:actor/messaging@0.1.0 cast
func importCast(node, id uint64, tag, arguments string, into address)

//go:wasmimport ractor:actor/messaging@0.1.0 reply
func importReply(call uint64, bytes string, into address)

//go:wasmimport ractor:actor/messaging@0.1.0 drop-call
func importDropCall(call uint64)

//go:wasmimport ractor:actor/messaging@0.1.0 fail-call
func importFailCall(call uint64, reason string)

//go:wasmimport ractor:actor/messaging@0.1.0 is-waiting
func importIsWaiting(call uint64) int32

//go:wasmimport ractor:actor/messaging@0.1.0 metadata
func importMetadata(into address)

//go:wasmimport ractor:actor/messaging@0.1.0 next-cast
func importNextCast() int32

//go:wasmimport ractor:actor/requests@0.1.0 call
func importCall(node, id uint64, tag, arguments string, limited int32, timeout uint64, into address)

//go:wasmimport ractor:actor/requests@0.1.0 ask
func importAsk(node, id uint64, tag, arguments string, limited int32, timeout uint64, into address)

//go:wasmimport ractor:actor/requests@0.1.0 cancel
func importCancelAsk(token uint64) int32

//go:wasmimport ractor:actor/requests@0.1.0 pending
func importPending(mailbox int32)

//go:wasmimport ractor:actor/registry@0.1.0 where-is
func importWhereIs(name string, into address)

//go:wasmimport ractor:actor/registry@0.1.0 address
func importAddress(node, id uint64, into address)

//go:wasmimport ractor:actor/registry@0.1.0 resolve
func importResolve(bytes string, into address)

//go:wasmimport ractor:actor/groups@0.1.0 join
func importJoin(group string, scoped int32, scope string)

//go:wasmimport ractor:actor/groups@0.1.0 leave
func importLeave(group string, scoped int32, scope string)

//go:wasmimport ractor:actor/groups@0.1.0 members
func importMembers(group string, scoped int32, scope string, into address)

//go:wasmimport ractor:actor/groups@0.1.0 local-members
func importLocalMembers(group string, scoped int32, scope string, into address)

//go:wasmimport ractor:actor/groups@0.1.0 which-groups
func importWhichGroups(scoped int32, scope string, into address)

//go:wasmimport ractor:actor/groups@0.1.0 monitor
func importMonitorGroup(group string, scoped int32, scope string)

//go:wasmimport ractor:actor/groups@0.1.0 demonitor
func importDemonitorGroup(group string, scoped int32, scope string)

//go:wasmimport ractor:actor/timers@0.1.0 send-after
func importSendAfter(node, id uint64, tag, arguments string, ms uint64, into address)

//go:wasmimport ractor:actor/timers@0.1.0 send-interval
func importSendInterval(node, id uint64, tag, arguments string, ms uint64, into address)

//go:wasmimport ractor:actor/timers@0.1.0 stop-after
func importStopAfter(ms uint64, into address)

//go:wasmimport ractor:actor/timers@0.1.0 wake-after
func importWakeAfter(ms uint64, into address)

//go:wasmimport ractor:actor/timers@0.1.0 cancel
func importCancelTimer(timer uint64) int32

//go:wasmimport ractor:actor/logging@0.1.0 log
func importLog(level int32, target, message string, fields address, count uint32)

//go:wasmimport ractor:actor/lifecycle@0.1.0 spawn
func importSpawn(module string, named int32, name, arguments string, groups address, count uint32, restart int32, into address)

//go:wasmimport ractor:actor/lifecycle@0.1.0 children
func importChildren(into address)

//go:wasmimport ractor:actor/lifecycle@0.1.0 supervisor
func importSupervisor(into address)

//go:wasmimport ractor:actor/lifecycle@0.1.0 stop
func importStop(reasoned int32, reason string)

//go:wasmimport ractor:actor/lifecycle@0.1.0 exit
func importExit(reason string)

//go:wasmimport ractor:actor/lifecycle@0.1.0 stop-child
func importStopChild(node, id uint64, reasoned int32, reason string) int32

//go:wasmimport ractor:actor/lifecycle@0.1.0 kill-child
func importKillChild(node, id uint64) int32

//go:wasmimport ractor:actor/lifecycle@0.1.0 monitor
func importMonitor(node, id uint64, into address)

//go:wasmimport ractor:actor/lifecycle@0.1.0 demonitor
func importDemonitor(node, id uint64)

//go:wasmimport ractor:actor/config@0.1.0 value
func importConfigValue(key string, into address)

//go:wasmimport ractor:actor/config@0.1.0 entries
func importConfigEntries(into address)

//go:wasmimport ractor:actor/random@0.1.0 bytes
func importRandom(count uint32, into address)

//go:wasmimport ractor:actor/tracing@0.1.0 current
func importTraceContext(into address)

// Host is the node that this component runs on.
type Host struct{}

var _ node.Node = Host{}

func (Host) SelfPid() node.Pid {
	var into node.Pid
	importSelfPid(address(&into))
	return into
}

func (Host) SelfName() (string, bool) {
	var into optionalText
	importSelfName(address(&into))
	return into.text()
}

func (Host) NodeName() string {
	var into slice
	importNodeName(address(&into))
	return into.text()
}

func (Host) Cast(to node.Pid, tag string, arguments []byte) *node.Failure {
	var into nothingOrCode
	importCast(to.Node, to.ID, tag, asText(arguments), address(&into))
	return into.failure()
}

func (Host) Reply(call uint64, bytes []byte) *node.Failure {
	var into nothingOrCode
	importReply(call, asText(bytes), address(&into))
	return into.failure()
}

func (Host) DropCall(call uint64)                { importDropCall(call) }
func (Host) FailCall(call uint64, reason string) { importFailCall(call, reason) }
func (Host) IsWaiting(call uint64) bool          { return importIsWaiting(call) != 0 }
func (Host) NextCast() bool                      { return importNextCast() != 0 }

func (Host) Metadata() ([]byte, bool) {
	var into optionalText
	importMetadata(address(&into))
	return into.value.bytes(), into.some != 0
}

func (Host) Call(to node.Pid, tag string, arguments []byte, timeoutMs *uint64) ([]byte, *node.Failure) {
	var into bytesOrError
	limited, timeout := optionalNumber(timeoutMs)
	importCall(to.Node, to.ID, tag, asText(arguments), limited, timeout, address(&into))
	if into.failed != 0 {
		return nil, &node.Failure{Code: uint8(into.first), Reason: slice{into.second, into.third}.text()}
	}
	return slice{into.first, into.second}.bytes(), nil
}

func (Host) Ask(to node.Pid, tag string, arguments []byte, timeoutMs *uint64) (uint64, *node.Failure) {
	var into numberOrError
	limited, timeout := optionalNumber(timeoutMs)
	importAsk(to.Node, to.ID, tag, asText(arguments), limited, timeout, address(&into))
	return into.number, into.failure()
}

func (Host) CancelAsk(token uint64) bool { return importCancelAsk(token) != 0 }

func (Host) Pending(open bool) {
	if open {
		importPending(1)
	} else {
		importPending(0)
	}
}

func (Host) WhereIs(name string) (node.Pid, bool) {
	var into optionalPid
	importWhereIs(name, address(&into))
	return into.value, into.some != 0
}

func (Host) Address(actor node.Pid) ([]byte, bool) {
	var into optionalText
	importAddress(actor.Node, actor.ID, address(&into))
	return into.value.bytes(), into.some != 0
}

func (Host) Resolve(bytes []byte) (node.Pid, bool) {
	var into optionalPid
	importResolve(asText(bytes), address(&into))
	return into.value, into.some != 0
}

func (Host) Join(group string, scope string) {
	scoped, name := optional(scope)
	importJoin(group, scoped, name)
}

func (Host) Leave(group string, scope string) {
	scoped, name := optional(scope)
	importLeave(group, scoped, name)
}

func (Host) Members(group string, scope string) []node.Pid {
	var into slice
	scoped, name := optional(scope)
	importMembers(group, scoped, name, address(&into))
	return into.pids()
}

func (Host) LocalMembers(group string, scope string) []node.Pid {
	var into slice
	scoped, name := optional(scope)
	importLocalMembers(group, scoped, name, address(&into))
	return into.pids()
}

func (Host) WhichGroups(scope string) []string {
	var into slice
	scoped, name := optional(scope)
	importWhichGroups(scoped, name, address(&into))
	return into.texts()
}

func (Host) MonitorGroup(group string, scope string) {
	scoped, name := optional(scope)
	importMonitorGroup(group, scoped, name)
}

func (Host) DemonitorGroup(group string, scope string) {
	scoped, name := optional(scope)
	importDemonitorGroup(group, scoped, name)
}

func (Host) SendAfter(to node.Pid, tag string, arguments []byte, ms uint64) (uint64, *node.Failure) {
	var into numberOrCode
	importSendAfter(to.Node, to.ID, tag, asText(arguments), ms, address(&into))
	return into.number, into.failure()
}

func (Host) SendInterval(to node.Pid, tag string, arguments []byte, ms uint64) (uint64, *node.Failure) {
	var into numberOrCode
	importSendInterval(to.Node, to.ID, tag, asText(arguments), ms, address(&into))
	return into.number, into.failure()
}

func (Host) StopAfter(ms uint64) (uint64, *node.Failure) {
	var into numberOrCode
	importStopAfter(ms, address(&into))
	return into.number, into.failure()
}

func (Host) WakeAfter(ms uint64) (uint64, *node.Failure) {
	var into numberOrCode
	importWakeAfter(ms, address(&into))
	return into.number, into.failure()
}

func (Host) CancelTimer(timer uint64) bool { return importCancelTimer(timer) != 0 }

func (Host) Log(level uint8, target, message string, fields []node.Setting) {
	var w words
	for _, field := range fields {
		w.text(field.Key)
		w.text(field.Value)
	}
	importLog(int32(level), target, message, w.address(), uint32(len(fields)))
}

func (Host) Spawn(child node.Child) (node.Pid, *node.Failure) {
	var groups words
	for _, group := range child.Groups {
		groups.text(group)
	}
	named, name := optional(child.Name)
	var into pidOrError
	importSpawn(child.Module, named, name, asText(child.Arguments), groups.address(), uint32(len(child.Groups)),
		int32(child.Restart), address(&into))
	if into.failed != 0 {
		return node.Pid{}, into.failure()
	}
	return into.pid, nil
}

func (Host) Children() []node.Pid {
	var into slice
	importChildren(address(&into))
	return into.pids()
}

func (Host) Supervisor() (node.Pid, bool) {
	var into optionalPid
	importSupervisor(address(&into))
	return into.value, into.some != 0
}

func (Host) Stop(reason string) {
	reasoned, text := optional(reason)
	importStop(reasoned, text)
}

func (Host) Exit(reason string) { importExit(reason) }

func (Host) StopChild(child node.Pid, reason string) bool {
	reasoned, text := optional(reason)
	return importStopChild(child.Node, child.ID, reasoned, text) != 0
}

func (Host) KillChild(child node.Pid) bool { return importKillChild(child.Node, child.ID) != 0 }

func (Host) Monitor(actor node.Pid) *node.Failure {
	var into nothingOrCode
	importMonitor(actor.Node, actor.ID, address(&into))
	return into.failure()
}

func (Host) Demonitor(actor node.Pid) { importDemonitor(actor.Node, actor.ID) }

func (Host) ConfigValue(key string) (string, bool) {
	var into optionalText
	importConfigValue(key, address(&into))
	return into.text()
}

func (Host) ConfigEntries() []node.Setting {
	var into slice
	importConfigEntries(address(&into))
	settings := make([]node.Setting, 0, into.len)
	for _, pair := range slicesOf[[2]slice](into) {
		settings = append(settings, node.Setting{Key: pair[0].text(), Value: pair[1].text()})
	}
	return settings
}

func (Host) Random(count uint32) []byte {
	var into slice
	importRandom(count, address(&into))
	return into.bytes()
}

func (Host) TraceContext() (parent, state string, traced bool) {
	var into optionalTrace
	importTraceContext(address(&into))
	return into.parent.text(), into.state.text(), into.some&0xff != 0
}
