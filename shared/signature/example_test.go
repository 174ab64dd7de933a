package signature_test

import (
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// A receiver proves the bytes first, parses them, and checks the time that they carry.
func Example() {
	body := []byte(`{"data":{"productUuid":"ecfddba2-59bf-4d35-bd07-8ceeefde51fd"},"timestamp":1739948408}`)
	header := map[string]string{"signature": signature.SignAction("the new secret", body)} // what the PIM does

	proof := signature.ActionProof{Secrets: []string{"the old secret", "the new secret"}}
	verified, err := signature.VerifyAction(proof, header, body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("proven by", verified.Variant(), "with secret", verified.Secret())

	const timestamp = 1739948408 // parsed from verified.Body()
	fmt.Println(signature.Window(time.Unix(timestamp+600, 0), timestamp, signature.ActionWindow))

	_, err = signature.VerifyAction(proof, header, append(body, ' '))
	fmt.Println(err)
	// Output:
	// proven by signature with secret 1
	// unproven: timestamp_old
	// unproven: signature_mismatch
}
