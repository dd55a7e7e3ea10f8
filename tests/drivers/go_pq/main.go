// Go's lib/pq: parameters, transactions, errors, COPY, binary parameters. Run by client_test.py.
package main

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/lib/pq"
)

func want(expected, got any) error {
	if expected != got {
		return fmt.Errorf("want %v, got %v", expected, got)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func connects(db *sql.DB) error {
	var one int
	return firstError(db.QueryRow("SELECT 1").Scan(&one), want(1, one))
}

func parameters(db *sql.DB) error {
	when := time.Date(2024, 2, 29, 12, 30, 0, 123456000, time.UTC)
	var (
		i    int
		b    int64
		f    float64
		t    string
		o    bool
		z    time.Time
		y    []byte
		null sql.NullString
		a    []sql.NullInt64
	)
	err := db.QueryRow(`SELECT $1::int, $2::bigint, $3::float8, $4::text, $5::boolean,
		$6::timestamptz, $7::bytea, $8::text, $9::bigint[]`,
		42, int64(-1)<<63, 0.1, "it's ü", true, when, []byte{0, 255}, nil,
		pq.Array([]sql.NullInt64{{Int64: 1, Valid: true}, {}})).
		Scan(&i, &b, &f, &t, &o, &z, &y, &null, pq.Array(&a))
	return firstError(err, want(42, i), want(int64(-1)<<63, b), want(0.1, f), want("it's ü", t),
		want(true, o), want(true, when.Equal(z)), want(true, bytes.Equal([]byte{0, 255}, y)),
		want(false, null.Valid), want(2, len(a)))
}

func transactions(db *sql.DB) error {
	if _, err := db.Exec("CREATE TABLE tx (a int)"); err != nil {
		return err
	}
	for value, keep := range []bool{false, true} {
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		if _, err = tx.Exec("INSERT INTO tx VALUES ($1)", value); err != nil {
			return err
		}
		if keep {
			err = tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			return err
		}
	}
	var count, value int
	return firstError(db.QueryRow("SELECT count(*), min(a) FROM tx").Scan(&count, &value),
		want(1, count), want(1, value))
}

func preparedStatements(db *sql.DB) error {
	if _, err := db.Exec("CREATE TABLE named (k int PRIMARY KEY, v text)"); err != nil {
		return err
	}
	insert, err := db.Prepare("INSERT INTO named VALUES ($1, $2)")
	if err != nil {
		return err
	}
	for k := 0; k < 100; k++ {
		if _, err := insert.Exec(k, fmt.Sprint("v", k)); err != nil {
			return err
		}
	}
	var v string
	return firstError(db.QueryRow("SELECT v FROM named WHERE k = $1", 57).Scan(&v), want("v57", v))
}

func hasCode(err error, code string) error {
	var pqError *pq.Error
	if !errors.As(err, &pqError) {
		return fmt.Errorf("want SQLSTATE %s, got %v", code, err)
	}
	return want(code, string(pqError.Code))
}

func sqlErrors(db *sql.DB) error {
	for text, code := range map[string]string{"SELECT 1 / 0": "22012", "SELEC": "42601",
		"SELECT * FROM nowhere": "42P01", "SELECT 'x'::int": "22P02"} {
		var ignored int
		if err := hasCode(db.QueryRow(text).Scan(&ignored), code); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	_, err := db.Exec("CREATE TABLE uniq (a int PRIMARY KEY); INSERT INTO uniq VALUES (1)")
	if err != nil {
		return err
	}
	_, err = db.Exec("INSERT INTO uniq VALUES ($1)", 1)
	var pqError *pq.Error
	if !errors.As(err, &pqError) {
		return fmt.Errorf("the second 1 was taken: %v", err)
	}
	return firstError(want("23505", string(pqError.Code)), want("uniq_pkey", pqError.Constraint))
}

func copyIn(db *sql.DB) error {
	if _, err := db.Exec("CREATE TABLE copied (a int, b text)"); err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	copier, err := tx.Prepare(pq.CopyIn("copied", "a", "b"))
	if err != nil {
		return err
	}
	for i := 0; i < 1000; i++ {
		if _, err := copier.Exec(i, fmt.Sprintf("tab\there %d", i)); err != nil {
			return err
		}
	}
	_, flushed := copier.Exec()
	err = firstError(flushed, copier.Close(), tx.Commit())
	var count int
	var last string
	return firstError(err, db.QueryRow("SELECT count(*), max(b) FROM copied").Scan(&count, &last),
		want(1000, count), want("tab\there 999", last))
}

func main() {
	failed := false
	checks := []struct {
		name string
		run  func(*sql.DB) error
	}{{"connects", connects}, {"parameters", parameters}, {"transactions", transactions},
		{"prepared statements", preparedStatements}, {"errors", sqlErrors}, {"copy", copyIn}}
	for _, options := range []string{"sslmode=disable", "sslmode=disable binary_parameters=yes"} {
		db, err := sql.Open("postgres", options)
		if err != nil {
			panic(err)
		}
		for _, check := range checks {
			if err := check.run(db); err != nil {
				failed = true
				fmt.Printf("FAILED %s (%s): %v\n", check.name, options, err)
			} else {
				fmt.Printf("ok %s (%s)\n", check.name, options)
			}
		}
		for _, table := range []string{"tx", "named", "uniq", "copied"} {
			if _, err := db.Exec("DROP TABLE IF EXISTS " + table); err != nil {
				failed = true
				fmt.Println("FAILED drop:", err)
			}
		}
		db.Close()
	}
	if failed {
		os.Exit(1)
	}
}
