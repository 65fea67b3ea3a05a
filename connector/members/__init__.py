"""What LINE users do: follow, consent, bind, register a product, ask for a repair.

Every function here takes a session whose transaction its caller owns, changes the rows of this
folder's tables and returns the changes of records for `connector.sync` to apply. Whoever lets a person
do something has locked the person first (`people.lock`).
"""
