package export

// WithStep is the kind with smaller steps of sending.
func (k Kind) WithStep(bytes int64) Kind {
	k.step = bytes
	return k
}

// WithPages is the kind with fewer pages of variants at a time.
func (k Kind) WithPages(number int) Kind {
	k.pages = number
	return k
}
