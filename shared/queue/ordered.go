package queue

// ordered is a heap whose elements know their place in it: for container/heap.
type ordered[T any] struct {
	all     []T
	compare func(a, b T) int
	place   func(T) *int // where an element keeps its place; -1 outside
}

func (o *ordered[T]) Len() int           { return len(o.all) }
func (o *ordered[T]) Less(i, j int) bool { return o.compare(o.all[i], o.all[j]) < 0 }

func (o *ordered[T]) Swap(i, j int) {
	o.all[i], o.all[j] = o.all[j], o.all[i]
	*o.place(o.all[i]), *o.place(o.all[j]) = i, j
}

// Push implements heap.Interface; callers use heap.Push.
func (o *ordered[T]) Push(element any) {
	*o.place(element.(T)) = len(o.all)
	o.all = append(o.all, element.(T))
}

// Pop implements heap.Interface; callers use heap.Pop.
func (o *ordered[T]) Pop() any {
	last := len(o.all) - 1
	element := o.all[last]
	var none T
	o.all[last] = none
	o.all = o.all[:last]
	*o.place(element) = -1
	return element
}
