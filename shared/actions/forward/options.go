package forward

// Options is the struct that the kind's keys are decoded into, for the schema of extensions.yaml.
func (Kind) Options() any { return options{} }
