"""The four groups of a partner's data set, made of a record that an Access lets out."""
