"""After the gate's rules rose: what older ones let in is judged again, in books and in what waits."""
