package export

// WithStep is the kind with smaller steps of sending.
func (k Kind) WithStep(bytes int64) Kind {
	k.step = bytes
	return k
}
