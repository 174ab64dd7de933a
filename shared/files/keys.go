package files

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"time"

	"github.com/pim-functions/pim-functions/shared/files/address"
)

// Media is the job's part of the address of an image that is handed on: such files belong to no job.
const Media = address.Media

// MediaKey is where a copy of a PIM's media file lies: the same file of the same PIM has one key. Its last segment is the
// name in the address, and ends with the file's own name.
func MediaKey(pim, code string) string {
	digest := sha256.Sum256([]byte(pim + "\x00" + code))
	return address.MediaKey(hex.EncodeToString(digest[:address.MediaDigest/2]) + "-" + Name(path.Base(code)))
}

// PartsFolder is where a job keeps what it needs until its file is whole: List walks it, and Delete clears it after the end
// is recorded. The bucket ends parts after 7 days.
func PartsFolder(job string) string { return "parts/" + job + "/" }

// PartKey is one of a job's parts. A part is stored by one Put under a name that the state of the run alone decides, such
// as the batch's first item in nine digits: a repeat replaces it by the same content, and names sort as the items do.
func PartKey(job, name string) string { return PartsFolder(job) + Name(name) }

// ExportKey is where a job's finished file lies. keep is one of Keeps: it is part of the key, so that a lifecycle rule of
// the bucket ends the file.
func ExportKey(keep, job, name string) string { return "export/" + keep + "/" + job + "/" + Name(name) }

// UndoFolder is where the values lie that a job replaced in the PIM.
func UndoFolder(job string) string { return "undo/" + job + "/" }

// UndoKey is one of a job's files of replaced values.
func UndoKey(job, name string) string { return UndoFolder(job) + Name(name) }

// SentKey is where what a job has sent lies, so that a repeat sends the same bytes: name is that of the wait for its answer.
func SentKey(job, name string) string { return "sent/" + job + "/" + Name(name) }

// Keeps are the times for which a finished file may be kept, and which the bucket has lifecycle rules for.
var Keeps = map[string]time.Duration{"1d": day, "7d": 7 * day, "30d": 30 * day, "90d": 90 * day}

const day = 24 * time.Hour
