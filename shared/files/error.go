package files

// Error is a call that the store did not carry out, or not surely: it is away, or full. What is not there is ErrNotFound or
// ErrUploadGone instead.
type Error struct {
	step string
	err  error
}

// Error is for logs.
func (e *Error) Error() string { return e.step + ": " + e.err.Error() }

func (e *Error) Unwrap() error { return e.err }

// Reason is the error in words for a user.
func (e *Error) Reason() string { return "files cannot be stored or read at the moment" }

func failed(step string, err error) error { return &Error{step, err} }
