package engine

// Part is the run over the items from one index up to another alone, with all that comes along with them. Its Key and its
// State are still those of the whole run.
func (r Run) Part(from, to int) Run {
	r.Items = r.Items[from:to:to]
	if r.Products != nil {
		r.Products = r.Products[from:to:to]
	}
	if r.Deleted != nil {
		r.Deleted = r.Deleted[from:to:to]
	}
	if r.Index != nil {
		r.Index = r.Index[from:to:to]
	}
	if r.Causes != nil {
		r.Causes = r.Causes[from:to:to]
		if to == from+1 && r.Job == "" { // the same whatever else the run is about
			r.Began = r.Causes[0].Began
		}
	}
	r.First += from
	return r
}

// Halves are the run in two, each with a key of its own: where what it sends is too large. It has at least two items.
func (r Run) Halves() (first, second Run) {
	half := len(r.Items) / 2
	first, second = r.Part(0, half), r.Part(half, len(r.Items))
	first.Key, second.Key = r.Key+"a", r.Key+"b"
	return first, second
}

// At is the place of an item of the run among all items of the job.
func (r Run) At(index int) int {
	if index < len(r.Index) {
		return r.Index[index]
	}
	return r.First + index
}

// Gone says whether an item's entity is deleted, as far as an event tells.
func (r Run) Gone(index int) bool {
	return index < len(r.Deleted) && r.Deleted[index] || index == 0 && r.deletion()
}

// deletion says whether the run is about an entity that an event says is deleted.
func (r Run) deletion() bool {
	return r.Event != nil && len(r.Items) > 0 && r.Event.Deletion()
}
