package pgparse

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Walk calls visit for the node and every node below it, parents first, until
// visit returns false for a subtree.
func Walk(n *Node, visit func(*Node) bool) {
	if n == nil {
		return
	}
	walk(n.ProtoReflect(), visit)
}

func walk(m protoreflect.Message, visit func(*Node) bool) {
	if n, ok := m.Interface().(*Node); ok && !visit(n) {
		return
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Kind() != protoreflect.MessageKind {
			return true
		}
		if f.IsList() {
			list := v.List()
			for i := 0; i < list.Len(); i++ {
				walk(list.Get(i).Message(), visit)
			}
			return true
		}
		walk(v.Message(), visit)
		return true
	})
}
